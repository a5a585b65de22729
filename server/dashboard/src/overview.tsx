// The first page: is it worth having, is it healthy, what was asked for.
import { useMemo, useState } from 'preact/hooks';
import type { Environment, History, Miss, Package, Stats, Step } from './api';
import { Chart, steps } from './charts';
import { EnvironmentTable } from './environments';
import { bytes, count, duration, percent } from './format';
import { MissTable } from './misses';
import { Bar, Empty, Loaded, Panel, Select, Show, useData } from './parts';

function Tile({ name, value, note, tone }: { name: string; value: string; note: string; tone?: string }) {
  return <div class={`tile ${tone ?? ''}`}><h2>{name}</h2><p class="value">{value}</p><p class="note">{note}</p></div>;
}

/** What is known of the whole server only. Who may not see all lanes is not told. */
function Asked({ totals }: { totals: Record<string, number> }) {
  const asked = totals.hits + totals.misses;
  return <>
    <Tile name="Hit rate" value={percent(totals.hits, asked)} note={asked ? `${count(totals.hits)} of ${count(asked)} packages asked for` : 'nobody has asked yet'} tone="good" />
    <Tile name="Compiling saved" value={duration(totals.saved_ms)} note={`in ${count(totals.pulls)} pull${totals.pulls === 1 ? '' : 's'}`} tone="good" />
  </>;
}

function Disk({ store }: { store: NonNullable<Stats['store']> }) {
  const limit = store.store_bytes_max || store.stored_bytes + store.free_bytes;
  return <div class="tile"><h2>Disk</h2><p class="value">{bytes(store.stored_bytes)}</p>
    <Bar part={store.stored_bytes} whole={limit} label={`${percent(store.stored_bytes, limit)} of ${bytes(limit)} used`} tone={store.stored_bytes > 0.9 * limit ? 'bad' : ''} />
    <p class="note">{store.store_bytes_max ? `of ${bytes(store.store_bytes_max)} allowed` : 'no limit set'}, {bytes(store.free_bytes)} free</p></div>;
}

function Tiles({ stats }: { stats: Stats }) {
  return <div class="tiles">
    {stats.totals && <Asked totals={stats.totals} />}
    <Tile name="Artefacts" value={count(stats.artefacts)} note={`${bytes(stats.bytes)}, ${duration(stats.compile_ms)} of compiling`} />
    {stats.store && <Disk store={stats.store} />}
  </div>;
}

type Shown = Omit<Step, 'stored_bytes'> & { stored_bytes: number | null };

/** Every step of the span, those without activity too. What was on the disk before anybody wrote it down, nobody knows. */
function fill(history: History, span_s: number): Shown[] {
  const known = new Map(history.steps.map((step) => [step.at_s, step]));
  const last = history.now_s - (history.now_s % history.step_s), first = last - span_s + history.step_s;
  const none = { hits: 0, misses: 0, saved_ms: 0, published: 0, pulls: 0, sent_bytes: 0, received_bytes: 0, requests: 0 };
  let stored_bytes: number | null = history.steps.filter((step) => step.at_s < first).pop()?.stored_bytes ?? null;
  const filled: Shown[] = [];
  for (let at_s = first; at_s <= last; at_s += history.step_s) {
    const step = known.get(at_s) ?? { ...none, at_s, stored_bytes };
    stored_bytes = step.stored_bytes;
    filled.push(step);
  }
  return filled;
}

function Charts({ history, span_s }: { history: History; span_s: number }) {
  const shown = useMemo(() => fill(history, span_s), [history, span_s]);
  const times = useMemo(() => shown.map((s) => s.at_s), [shown]);
  const rate = useMemo(() => [{ label: 'Hit rate', colour: '--good', fill: true, values: shown.map((s) => (s.hits + s.misses ? (100 * s.hits) / (s.hits + s.misses) : null)) }], [shown]);
  const saved = useMemo(() => [{ label: 'Saved', colour: '--accent', fill: true, values: shown.map((s) => s.saved_ms) }], [shown]);
  const traffic = useMemo(() => [{ label: 'Sent', colour: '--accent', fill: true, values: shown.map((s) => s.sent_bytes) }, { label: 'Received', colour: '--warm', values: shown.map((s) => s.received_bytes) }], [shown]);
  const disk = useMemo(() => [{ label: 'On disk', colour: '--violet', fill: true, values: shown.map((s) => s.stored_bytes) }], [shown]);
  const sum = (what: Exclude<keyof Step, 'stored_bytes'>) => shown.reduce((n, s) => n + s[what], 0);
  return <>
    <Panel title="Hit rate" note={`${count(sum('hits'))} hits, ${count(sum('misses'))} misses`}><Chart label={`Hit rate over time: ${percent(sum('hits'), sum('hits') + sum('misses'))} in all`} times={times} lines={rate} max={100} incrs={steps.percent} format={(n) => `${Math.round(n)} %`} /></Panel>
    <Panel title="Compiling saved" note={`${duration(sum('saved_ms'))} in all`}><Chart label={`Compiling saved over time: ${duration(sum('saved_ms'))} in all`} times={times} lines={saved} incrs={steps.clock} format={duration} /></Panel>
    <Panel title="Traffic" note={`${count(sum('requests'))} requests`}><Chart label={`Bytes sent and received over time: ${bytes(sum('sent_bytes'))} sent`} times={times} lines={traffic} incrs={steps.bytes} format={bytes} /></Panel>
    <Panel title="On disk"><Chart label="Stored bytes over time" times={times} lines={disk} incrs={steps.bytes} format={bytes} /></Panel>
  </>;
}

function Shares<T extends { bytes: number; artefacts: number }>({ rows, name, link, empty }: { rows: T[]; name: (row: T) => string; link: (row: T) => string; empty: string }) {
  const sorted = [...rows].filter((row) => row.artefacts).sort((a, b) => b.bytes - a.bytes).slice(0, 8);
  if (!sorted.length) return <Empty>{empty}</Empty>;
  return <ul class="shares">{sorted.map((row) => <li><a href={link(row)}>{name(row)}</a><Bar part={row.bytes} whole={sorted[0].bytes} label={`${count(row.artefacts)} artefacts`} /><span>{bytes(row.bytes)}</span></li>)}</ul>;
}

export function Overview({ stats }: { stats: Loaded<Stats> }) {
  const [span, setSpan] = useState('86400');
  const span_s = Number(span);
  const history = useData<History>('/v1/stats/history', { step: span_s > 86400 ? 3600 : 300 });
  const packages = useData<{ packages: Package[] }>('/v1/packages', { limit: 8 });
  const environments = useData<{ environments: Environment[] }>('/v1/environments', { limit: 6 });
  const misses = useData<{ misses: Miss[] }>('/v1/misses', { limit: 8 });
  return <>
    <div class="bar-top"><h1>Overview</h1><Select label="Time" value={span} onInput={setSpan} options={[['10800', '3 hours'], ['86400', '1 day'], ['604800', '7 days'], ['5184000', '60 days']]} /></div>
    <Show of={stats}>{(data) => <Tiles stats={data} />}</Show>
    <div class="grid two"><Show of={history}>{(data) => <Charts history={data} span_s={span_s} />}</Show></div>
    <div class="grid three">
      <Panel title="By lane"><Show of={stats}>{(data) => <Shares rows={data.lanes} name={(lane) => lane.name} link={(lane) => `#/artefacts?lane=${encodeURIComponent(lane.name)}`} empty="No lane holds anything yet." />}</Show></Panel>
      <Panel title="By Julia version"><Show of={stats}>{(data) => <Shares rows={data.julia} name={(j) => j.version} link={(j) => `#/artefacts?julia=${encodeURIComponent(j.version)}`} empty="Nothing is published yet." />}</Show></Panel>
      <Panel title="By package"><Show of={packages}>{(data) => <Shares rows={data.packages} name={(p) => p.name} link={(p) => `#/artefacts?package=${encodeURIComponent(p.name)}`} empty="Nothing is published yet." />}</Show></Panel>
    </div>
    <Panel title="Environments lately asked for" note={<a href="#/environments">all</a>} wide><Show of={environments}>{(data) => <EnvironmentTable rows={data.environments} />}</Show></Panel>
    <Panel title="Recent misses" note={<a href="#/misses">all</a>} wide><Show of={misses}>{(data) => <MissTable rows={data.misses} />}</Show></Panel>
  </>;
}
