// Environments that pulls asked for, and one of them as a graph.
import { useState } from 'preact/hooks';
import type { Environment, EnvironmentNode } from './api';
import { ago, bytes, count, duration, julia, percent, platform, when } from './format';
import { Graph } from './graph';
import { Bar, Column, Field, Panel, recordLink, Show, Table, useData } from './parts';

const columns: Column<Environment>[] = [
  { name: 'Environment', value: (e) => e.title, cell: (e) => <a href={`#/environments/${e.id}`}>{e.title || `${e.id.slice(0, 10)}…`}</a> },
  { name: 'Coverage', number: true, value: (e) => (e.wanted ? e.stored / e.wanted : 1), cell: (e) => <span class="coverage"><Bar part={e.stored} whole={e.wanted} label={`${e.stored} of ${e.wanted}`} tone={e.stored === e.wanted ? 'good' : 'warm'} />{percent(e.stored, e.wanted)}</span> },
  { name: 'Packages', number: true, value: (e) => e.wanted, cell: (e) => count(e.wanted) },
  { name: 'Julia', value: (e) => julia(e.runtime) },
  { name: 'Lane', value: (e) => e.lane },
  { name: 'Asked by', value: (e) => e.who ?? '', cell: (e) => e.who ?? <span class="quiet">no token</span> },
  { name: 'Times', number: true, value: (e) => e.times, cell: (e) => count(e.times) },
  { name: 'Last', number: true, value: (e) => e.last_s, cell: (e) => <time dateTime={new Date(e.last_s * 1000).toISOString()} title={when(e.last_s)}>{ago(e.last_s)}</time> },
];
export const EnvironmentTable = ({ rows, filter }: { rows: Environment[]; filter?: string }) =>
  <Table name="Environments" rows={rows} columns={columns} filter={filter} empty={<>No pull has asked for anything yet. <code>jicache pull</code> in a project does.</>} />;

export function Environments() {
  const [filter, setFilter] = useState('');
  const list = useData<{ environments: Environment[] }>('/v1/environments', { limit: 200 });
  return <><div class="bar-top"><h1>Environments</h1><Field label="Filter" type="search" value={filter} onInput={setFilter} /></div>
    <Panel title="Lately asked for" wide><Show of={list}>{(data) => <EnvironmentTable rows={data.environments} filter={filter} />}</Show></Panel></>;
}

const states = { stored: 'stored', superseded: 'superseded', missing: 'missing' };
const State = ({ of }: { of: EnvironmentNode }) => <span class={`state ${of.state}`}>{states[of.state]}{of.optional ? ', optional' : ''}</span>;

function Detail({ node, environment }: { node: EnvironmentNode; environment: Environment }) {
  return <div class="detail" role="status"><h3>{node.name ?? node.key} {node.version} <State of={node} /></h3>
    {node.state === 'stored' ? <p>In the lane <strong>{node.lane}</strong>, {bytes(node.bytes)}, compiled in {duration(node.compile_ms)}. <a href={recordLink({ ...environment, key: node.key })}>Who made it, from what, who requires it</a></p>
      : <p>Why: {node.text}{node.near_version ? <>; the last published is version <strong>{node.near_version}</strong>{node.near_runtime && node.near_runtime !== environment.runtime ? <> for Julia {julia(node.near_runtime)}, {platform(node.near_runtime)}</> : null}</> : null}. {node.state === 'superseded'
        ? <>The next push to the lane {environment.lane} replaces it. <a href={recordLink({ ...environment, key: node.key })}>Its record</a></>
        : <><code>jicache why {node.name}</code> on that machine tells the first input that differs.</>}</p>}
  </div>;
}

export function EnvironmentPage({ id, chosen }: { id: string; chosen?: string }) {
  const [filter, setFilter] = useState('');
  const environment = useData<Environment>(`/v1/environments/${id}`);
  const link = (key: string) => `#/environments/${id}/${key}`;
  return <Show of={environment}>{(e) => {
    const nodes = e.nodes!, node = nodes.find((n) => n.key === chosen);
    const number = (state: string) => nodes.filter((n) => n.state === state).length;
    const nodeColumns: Column<EnvironmentNode>[] = [
      { name: 'Package', value: (n) => n.name ?? n.key, cell: (n) => <a href={link(n.key)}>{n.name ?? n.key.slice(0, 10)}</a> },
      { name: 'Version', value: (n) => n.version ?? '' }, { name: 'State', value: (n) => n.state, cell: (n) => <State of={n} /> },
      { name: 'Why', value: (n) => n.text ?? '' }, { name: 'Bytes', number: true, value: (n) => n.bytes, cell: (n) => (n.bytes ? bytes(n.bytes) : '–') },
      { name: 'Compiling', number: true, value: (n) => n.compile_ms, cell: (n) => (n.compile_ms ? duration(n.compile_ms) : '–') },
    ];
    return <><p class="crumbs"><a href="#/environments">Environments</a></p>
      <div class="bar-top"><h1>{e.title || e.id.slice(0, 10)}</h1></div>
      <p class="lead">Julia {julia(e.runtime)}, {platform(e.runtime)}, lane {e.lane}. Asked for {count(e.times)} time{e.times === 1 ? '' : 's'}, last {ago(e.last_s)}{e.who ? ` by ${e.who}` : ''}.</p>
      <Panel title="Dependencies" wide note={<><span class="state stored">{number('stored')} stored</span> <span class="state missing">{number('missing')} missing</span> <span class="state superseded">{number('superseded')} superseded</span></>}>
        <Graph nodes={nodes} chosen={chosen} choose={link} />
        {node ? <Detail node={node} environment={e} /> : <p class="hint">Choose a package to see more of it.</p>}
      </Panel>
      <Panel title="Packages" wide note={<Field label="Filter" type="search" value={filter} onInput={setFilter} />}><Table name="Packages of the environment" rows={nodes} columns={nodeColumns} filter={filter} empty="It has none." /></Panel></>;
  }}</Show>;
}
