// The frame: pages by the address's fragment, who is looking, light or dark.
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Stats, token } from './api';
import { Artefacts, Packages, Record } from './artefacts';
import { EnvironmentPage, Environments } from './environments';
import { Misses } from './misses';
import { Overview } from './overview';
import { Field, Loaded, useData } from './parts';
import { Tokens } from './tokens';
import './style.css';

function useAddress(): [string[], URLSearchParams] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const change = () => { setHash(location.hash); };
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);
  const [path, query] = hash.replace(/^#\/?/, '').split('?');
  return [path.split('/').filter(Boolean).map(decodeURIComponent), new URLSearchParams(query)];
}

function Login({ refused }: { refused: string }) {
  const [text, setText] = useState('');
  const enter = (event: Event) => { event.preventDefault(); token.set(text); location.reload(); };
  return <main class="login"><form onSubmit={enter}><h1>jicache</h1><p>This server shows its contents to who has a token that may read.</p>
    <Field label="Token" type="password" autocomplete="off" placeholder="jic_…" value={text} onInput={setText} required />
    {token.get() && <p class="problem" role="alert">{refused}</p>}
    <button class="primary">Enter</button><p class="quiet">It is kept in this tab until you close it. <code>jicached token create</code> makes one.</p></form></main>;
}

const pages: [string, string][] = [['', 'Overview'], ['environments', 'Environments'], ['misses', 'Misses'], ['packages', 'Packages'], ['artefacts', 'Artefacts']];

function Theme() {
  const [theme, setTheme] = useState(sessionStorage.getItem('theme') ?? '');
  useEffect(() => { if (theme) document.documentElement.dataset.theme = theme; }, [theme]);
  const dark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const change = () => { const next = dark ? 'light' : 'dark'; sessionStorage.setItem('theme', next); setTheme(next); };
  return <button class="ghost" onClick={change} aria-label={dark ? 'Light colours' : 'Dark colours'}>{dark ? '☀' : '☾'}</button>;
}

function Page({ path, query, stats }: { path: string[]; query: URLSearchParams; stats: Loaded<Stats> }) {
  const go = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (name !== 'before') next.delete('before');
    if (value) next.set(name, value); else next.delete(name);
    location.hash = `#/${path.join('/')}?${next}`;
  };
  switch (path[0]) {
    case undefined: return <Overview stats={stats} />;
    case 'environments': return path[1] ? <EnvironmentPage id={path[1]} chosen={path[2]} /> : <Environments />;
    case 'misses': return <Misses />;
    case 'packages': return <Packages stats={stats} />;
    case 'artefacts': return <Artefacts stats={stats} query={query} go={go} />;
    case 'record': return <Record path={path.slice(1)} lane={query.get('lane') ?? 'main'} />;
    case 'tokens': return <Tokens />;
    default: return <><h1>There is no such page</h1><p><a href="#/">Overview</a></p></>;
  }
}

function App() {
  const [path, query] = useAddress();
  const stats = useData<Stats>('/v1/stats');
  const licences = document.querySelector<HTMLLinkElement>('link[rel=license]')!.href;
  useEffect(() => { document.title = `${path[0] ? `${path[0]} – ` : ''}jicache`; }, [path[0]]);
  if (stats.error && [401, 403].includes(stats.error.status) && !stats.data) return <Login refused={stats.error.message} />;
  const caller = stats.data?.caller;
  const shown: [string, string][] = caller?.can_admin ? [...pages, ['tokens', 'Tokens']] : pages;
  return <><a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')!.focus(); }}>To the content</a>
    <header class="top"><a class="brand" href="#/"><span class="mark" aria-hidden="true" />jicache</a>
      <nav aria-label="Pages">{shown.map(([name, title]) => <a href={`#/${name}`} aria-current={(path[0] ?? '') === name ? 'page' : undefined}>{title}</a>)}</nav>
      <span class="who">{caller?.name && <>{caller.name} <button class="ghost" onClick={() => { token.clear(); location.reload(); }}>Leave</button></>}<Theme /></span></header>
    <main id="main" tabIndex={-1}><Page path={path} query={query} stats={stats} /></main>
    <footer>{stats.data?.server ?? 'jicached'} · <a href="/metrics">metrics</a> · <a href={licences}>licences</a></footer></>;
}

render(<App />, document.getElementById('app')!);
