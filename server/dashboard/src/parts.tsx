// What all pages are made of: data that refreshes itself, panels, tables, bars.
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { get, Refused } from './api';

const REFRESH_MS = 15_000;

export interface Loaded<T> { data?: T; error?: Refused; reload: () => void }

/** An answer of the server, asked for again now and then while the page is looked at. The last one stays when one fails. */
export function useData<T>(path: string, query: Record<string, string | number | undefined> = {}): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: Refused; of?: string }>({});
  const [again, setAgain] = useState(0);
  const asked = JSON.stringify([path, query]);
  useEffect(() => {
    let live = true;
    const ask = () => {
      if (document.hidden) return;
      get<T>(path, query).then(
        (data) => live && setState({ data, of: asked }),
        (error: Refused) => live && setState((old) => ({ data: old.of === asked ? old.data : undefined, error, of: asked })));
    };
    ask();
    const timer = setInterval(ask, REFRESH_MS);
    document.addEventListener('visibilitychange', ask);
    return () => { live = false; clearInterval(timer); document.removeEventListener('visibilitychange', ask); };
  }, [asked, again]);
  return { data: state.of === asked ? state.data : undefined, error: state.of === asked ? state.error : undefined, reload: () => setAgain(again + 1) };
}

export function Panel({ title, note, children, wide }: { title: string; note?: ComponentChildren; children: ComponentChildren; wide?: boolean }) {
  return <section class={wide ? 'panel wide' : 'panel'} aria-label={title}><header><h2>{title}</h2>{note && <span class="note">{note}</span>}</header>{children}</section>;
}

/** The data, or what is in its place. */
export function Show<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  return <>
    {of.error && <p class="problem" role="alert"><strong>{of.error.status ? `The server says ${of.error.status}.` : 'No answer.'}</strong> {of.error.message} <button onClick={of.reload}>Try again</button></p>}
    {of.data ? children(of.data) : !of.error && <p class="waiting" role="status">Loading…</p>}
  </>;
}

export const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>;

export function Bar({ part, whole, label, tone }: { part: number; whole: number; label: string; tone?: string }) {
  const share = whole ? Math.min(100, (100 * part) / whole) : 0;
  return <span class="bar" role="img" aria-label={label}><span class={`fill ${tone ?? ''}`} style={{ width: `${share}%` }} /></span>;
}

export interface Column<T> { name: string; value: (row: T) => string | number; cell?: (row: T) => ComponentChildren; number?: boolean; descending?: boolean }

/** A table that sorts by its headings. `filter` searches in all texts. */
export function Table<T>({ rows, columns, name, filter, empty, by }: { rows: T[]; columns: Column<T>[]; name: string; filter?: string; empty: ComponentChildren; by?: string }) {
  const [order, setOrder] = useState({ by: by ?? '', up: false });
  const shown = useMemo(() => {
    const word = (filter ?? '').toLowerCase();
    const kept = word ? rows.filter((row) => columns.some((c) => String(c.value(row)).toLowerCase().includes(word))) : [...rows];
    const column = columns.find((c) => c.name === order.by);
    if (column) kept.sort((a, b) => { const x = column.value(a), y = column.value(b); return (x < y ? -1 : x > y ? 1 : 0) * (order.up ? 1 : -1); });
    return kept;
  }, [rows, filter, order, columns]);
  const sort = (c: Column<T>) => setOrder({ by: c.name, up: order.by === c.name ? !order.up : !c.number });
  if (!shown.length) return <Empty>{filter && rows.length ? 'Nothing matches the filter.' : empty}</Empty>;
  return <div class="scroll" tabIndex={0} role="region" aria-label={name}><table><caption class="hidden">{name}</caption>
    <thead><tr>{columns.map((c) => <th scope="col" class={c.number ? 'number' : ''} aria-sort={order.by === c.name ? (order.up ? 'ascending' : 'descending') : 'none'}>
      <button onClick={() => sort(c)}>{c.name}<span aria-hidden="true">{order.by === c.name ? (order.up ? ' ↑' : ' ↓') : ''}</span></button></th>)}</tr></thead>
    <tbody>{shown.map((row) => <tr>{columns.map((c) => <td class={c.number ? 'number' : ''}>{c.cell ? c.cell(row) : c.value(row)}</td>)}</tr>)}</tbody>
  </table></div>;
}

export function Field({ label, value, onInput, ...more }: { label: string; value: string; onInput: (value: string) => void } & Omit<JSX.InputHTMLAttributes<HTMLInputElement>, 'onInput' | 'value' | 'label'>) {
  return <label class="field"><span>{label}</span><input {...more} value={value} onInput={(event) => onInput(event.currentTarget.value)} /></label>;
}

export function Select({ label, value, options, onInput }: { label: string; value: string; options: [string, string][]; onInput: (value: string) => void }) {
  return <label class="field"><span>{label}</span><select value={value} onChange={(event) => onInput(event.currentTarget.value)}>{options.map(([v, text]) => <option value={v} selected={v === value}>{text}</option>)}</select></label>;
}

export const recordLink = (a: { runtime: string; sysimage: string; key: string; lane?: string }) => `#/record/${a.runtime}/${a.sysimage}/${a.key}?lane=${encodeURIComponent(a.lane || 'main')}`;
