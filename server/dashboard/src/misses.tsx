// What pulls did not get, each with the reason.
import { useState } from 'preact/hooks';
import type { Miss } from './api';
import { ago, count, julia, when } from './format';
import { Column, Field, Panel, Select, Show, Table, useData } from './parts';

const columns: Column<Miss>[] = [
  { name: 'Package', value: (m) => m.name ?? m.key, cell: (m) => <a href={`#/environments/${m.environment}/${m.key}`}>{m.name ?? `${m.key.slice(0, 10)}…`}</a> },
  { name: 'Version', value: (m) => m.version ?? '' },
  { name: 'Why', value: (m) => m.reason, cell: (m) => <><span class="tag">{m.reason}</span> {m.text}{m.near_version ? ` (${m.near_version})` : ''}</> },
  { name: 'Julia', value: (m) => julia(m.runtime) },
  { name: 'Lane', value: (m) => m.lane },
  { name: 'Times', number: true, value: (m) => m.times, cell: (m) => count(m.times) },
  { name: 'Last', number: true, value: (m) => m.last_s, cell: (m) => <time dateTime={new Date(m.last_s * 1000).toISOString()} title={when(m.last_s)}>{ago(m.last_s)}</time> },
  { name: 'Now', value: (m) => (m.stored ? 'stored' : 'missing'), cell: (m) => <span class={`state ${m.stored ? 'stored' : 'missing'}`}>{m.stored ? 'stored' : 'missing'}</span> },
];
export const MissTable = ({ rows, filter }: { rows: Miss[]; filter?: string }) =>
  <Table name="Misses" rows={rows} columns={columns} filter={filter} empty="Nothing was missed lately." />;

export function Misses() {
  const [filter, setFilter] = useState(''), [reason, setReason] = useState('');
  const list = useData<{ misses: Miss[] }>('/v1/misses', { limit: 1000 });
  return <Show of={list}>{({ misses }) => {
    const reasons = [...new Set(misses.map((m) => m.reason))].sort();
    return <><div class="bar-top"><h1>Misses</h1><Select label="Reason" value={reason} onInput={setReason} options={[['', 'any'], ...reasons.map((r): [string, string] => [r, `${r} (${misses.filter((m) => m.reason === r).length})`])]} /><Field label="Filter" type="search" value={filter} onInput={setFilter} /></div>
      <Panel title="Lately not there" wide><MissTable rows={reason ? misses.filter((m) => m.reason === reason) : misses} filter={filter} /></Panel></>;
  }}</Show>;
}
