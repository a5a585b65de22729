// Packages, artefacts, and the record of one.
import { useState } from 'preact/hooks';
import type { About, Artefact, Other, Package, Stats } from './api';
import { ago, bytes, count, duration, julia, platform, short, when } from './format';
import { Column, Empty, Field, Loaded, Panel, recordLink, Select, Show, Table, useData } from './parts';

const packageColumns: Column<Package>[] = [
  { name: 'Package', value: (p) => p.name, cell: (p) => <a href={`#/artefacts?package=${encodeURIComponent(p.name)}`}>{p.name}</a> },
  { name: 'Artefacts', number: true, value: (p) => p.artefacts, cell: (p) => count(p.artefacts) },
  { name: 'Bytes', number: true, value: (p) => p.bytes, cell: (p) => bytes(p.bytes) },
  { name: 'Compiling', number: true, value: (p) => p.compile_ms, cell: (p) => duration(p.compile_ms) },
  { name: 'Lanes', number: true, value: (p) => p.lanes },
  { name: 'Last published', number: true, value: (p) => p.latest_s, cell: (p) => ago(p.latest_s) },
];
export function Packages({ stats }: { stats: Loaded<Stats> }) {
  const [search, setSearch] = useState(''), [sort, setSort] = useState('bytes'), [lane, setLane] = useState('');
  const list = useData<{ packages: Package[] }>('/v1/packages', { search, sort, lane, limit: 500 });
  return <><div class="bar-top"><h1>Packages</h1>
    <Select label="Most" value={sort} onInput={setSort} options={[['bytes', 'bytes'], ['compile_ms', 'compiling'], ['artefacts', 'artefacts'], ['latest', 'recent'], ['name', 'by name']]} />
    <LaneSelect stats={stats} value={lane} onInput={setLane} /><Field label="Search" type="search" value={search} onInput={setSearch} /></div>
    <Panel title="Stored packages" wide><Show of={list}>{(data) => <Table name="Packages" rows={data.packages} columns={packageColumns} empty={search ? 'No package has that in its name.' : 'Nothing is published yet.'} />}</Show></Panel></>;
}

const LaneSelect = ({ stats, value, onInput }: { stats: Loaded<Stats>; value: string; onInput: (lane: string) => void }) =>
  <Select label="Lane" value={value} onInput={onInput} options={[['', 'all'], ...(stats.data?.lanes ?? []).map((l): [string, string] => [l.name, l.name])]} />;

const artefactColumns: Column<Artefact>[] = [
  { name: 'Package', value: (a) => a.name, cell: (a) => <a href={recordLink(a)}>{a.name}</a> },
  { name: 'Version', value: (a) => a.version ?? '' }, { name: 'Julia', value: (a) => julia(a.runtime) }, { name: 'Lane', value: (a) => a.lane },
  { name: 'Bytes', number: true, value: (a) => a.bytes, cell: (a) => bytes(a.bytes) },
  { name: 'Compiling', number: true, value: (a) => a.compile_ms, cell: (a) => duration(a.compile_ms) },
  { name: 'By', value: (a) => a.writer ?? '' }, { name: 'Host', value: (a) => a.provenance.host ?? '' },
  { name: 'Published', number: true, value: (a) => a.published_s, cell: (a) => <span title={when(a.published_s)}>{ago(a.published_s)}</span> },
  { name: 'Used', number: true, value: (a) => a.last_used_s, cell: (a) => ago(a.last_used_s, '–') },
];
export function Artefacts({ stats, query, go }: { stats: Loaded<Stats>; query: URLSearchParams; go: (name: string, value: string) => void }) {
  const of = (name: string) => query.get(name) ?? '';
  const list = useData<{ artefacts: Artefact[]; next_before?: number }>('/v1/artefacts', { lane: of('lane'), julia: of('julia'), package: of('package'), before: of('before') });
  return <><div class="bar-top"><h1>Artefacts</h1>
    <Field label="Package" type="search" value={of('package')} onInput={(v) => go('package', v)} placeholder="whole name" />
    <LaneSelect stats={stats} value={of('lane')} onInput={(v) => go('lane', v)} />
    <Select label="Julia" value={of('julia')} onInput={(v) => go('julia', v)} options={[['', 'all'], ...(stats.data?.julia ?? []).map((j): [string, string] => [j.version, j.version])]} /></div>
    <Panel title="The last published first" wide><Show of={list}>{(data) => <><Table name="Artefacts" rows={data.artefacts} columns={artefactColumns} empty="No artefact is like that." />
      <p class="pager">{of('before') && <a href="#" onClick={(event) => { event.preventDefault(); go('before', ''); }}>Newest</a>} {data.next_before && <a href="#" onClick={(event) => { event.preventDefault(); go('before', String(data.next_before)); }}>Older</a>}</p></>}</Show></Panel></>;
}

const Facts = ({ rows }: { rows: [string, preact.ComponentChildren][] }) => <dl class="facts">{rows.filter(([, value]) => value).map(([name, value]) => <><dt>{name}</dt><dd>{value}</dd></>)}</dl>;
const Run = ({ of }: { of: string }) => (/^https?:\/\//.test(of) ? <a href={of} rel="noreferrer noopener">{of}</a> : <>{of}</>);

const byName = (list: Other[]) => [...list].sort((a, b) => (a.name ?? '~').localeCompare(b.name ?? '~', 'en') || (a.version ?? '').localeCompare(b.version ?? '', 'en', { numeric: true }));

export function Record({ path, lane }: { path: string[]; lane: string }) {
  const [runtime, sysimage, key] = path;
  const about = useData<About>(`/v1/artefacts/${runtime}/${sysimage}/${key}/about`, { lane });
  const others = (list: Other[], empty: string) => (list.length ? <ul class="others">{byName(list).map((o) => <li>{o.name ? <a href={recordLink({ runtime, sysimage, key: o.key, lane })}>{o.name} <span class="quiet">{o.version}</span></a> : <span class="quiet">{short(o.key)}… not in this lane</span>}</li>)}</ul> : <Empty>{empty}</Empty>);
  return <Show of={about}>{(a) => <><p class="crumbs"><a href="#/packages">Packages</a> / <a href={`#/artefacts?package=${encodeURIComponent(a.name)}`}>{a.name}</a></p>
    <div class="bar-top"><h1>{a.name} {a.version}</h1><span class={`state ${a.offered ? 'stored' : 'superseded'}`}>{a.offered ? 'stored' : 'superseded'}</span></div>
    <div class="grid two">
      <Panel title="Who made it, and when"><Facts rows={[['Published', `${when(a.published_s)} UTC, ${ago(a.published_s)}`], ['With the token', a.writer], ['Compiled by', a.provenance.user], ['On the host', a.provenance.host], ['In the run', a.provenance.run && <Run of={a.provenance.run} />], ['Client', a.provenance.client], ['Compiling took', duration(a.compile_ms)], ['Last used', ago(a.last_used_s)], ['Lane', a.lane]]} /></Panel>
      <Panel title="From what"><Facts rows={[['Kind', a.kind], ['Source', <code>{a.source}</code>], ['Build', a.build && <code>{a.build}</code>], ['Julia', `${julia(a.runtime)}, ${platform(a.runtime)}`], ['Cache file', bytes(a.ji.size)], ['Image', a.image ? bytes(a.image.size) : 'none'], ['Build id', <code>{a.build_id}</code>], ['Key', <code>{a.key}</code>], ['UUID', <code>{a.uuid}</code>]]} /></Panel>
      <Panel title="Depends on" note={count(a.deps.length)}>{others(a.deps, 'Nothing that is shared.')}</Panel>
      <Panel title="Required by" note={count(a.required_by_count)}>{others(a.required_by, 'Nothing that is stored.')}</Panel>
    </div></>}</Show>;
}
