// History as lines over time, by uPlot. Colours are the page's, so a change of theme draws anew.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line { label: string; values: (number | null)[]; colour: string; fill?: boolean }

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function useTheme(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const change = () => setChanges((n) => n + 1);
    query.addEventListener('change', change);
    const observer = new MutationObserver(change);
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => { query.removeEventListener('change', change); observer.disconnect(); };
  }, []);
  return changes;
}

const stamp = (t: number, span_s: number) => new Date(t * 1000).toLocaleString('en-GB', span_s > 172800 ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit' });
const moment = (t: number) => new Date(t * 1000).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

const HEIGHT = 190;
// Round numbers of what is counted: halves and quarters of a TiB are no round numbers of bytes, a third of an hour none of time.
const binary = Array.from({ length: 60 }, (_, i) => 2 ** i);
const clock = [1, 2, 5, 10, 20, 50, 100, 200, 500, ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
  ...Array.from({ length: 16 }, (_, i) => 86400 * 2 ** i)].map((s) => s * 1000)];
export const steps = { bytes: binary, clock, percent: [25, 50] };

type Values = (number | null)[];
const last = (values: Values) => values.reduce((found, n) => n ?? found, null);
// A line needs two points: what stands alone is a dot, or nobody would see it.
const alone = (values: Values) => values.flatMap((n, i) => (n !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? [i] : []));

function series(line: Line, format: (n: number) => string): uPlot.Series {
  const dots = alone(line.values);
  return { label: line.label, stroke: colour(line.colour), width: 1.75, points: { show: dots.length > 0, size: 5, fill: colour(line.colour), filter: () => dots },
    fill: line.fill ? `color-mix(in srgb, ${colour(line.colour)} 14%, transparent)` : undefined,
    // While nobody points at a moment, the legend tells the last one.
    value: (_, n, __, at) => { const shown = at === null ? last(line.values) : n; return shown === null ? '–' : format(shown); } };
}

export function Chart({ times, lines, format, label, incrs, max }: { times: number[]; lines: Line[]; format: (n: number) => string; label: string; incrs: number[]; max?: number }) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const element = place.current!;
    const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px Inter, system-ui, sans-serif' };
    const plot = new uPlot({
      width: element.clientWidth, height: HEIGHT, padding: [8, 12, 0, 0], legend: { live: true }, cursor: { points: { size: 6 }, y: false },
      scales: { y: { range: (_, _min, high) => [0, max ?? Math.max(high * 1.1, incrs[0])] } },
      axes: [{ ...axis, space: 70, size: 28, values: (_, ticks) => ticks.map((t) => stamp(t, times[times.length - 1] - times[0])) }, { ...axis, size: 64, incrs, values: (_, ticks) => ticks.map((n) => format(n)) }],
      series: [{ label: 'Time', value: (_, t) => (t ? moment(t) : 'latest') }, ...lines.map((line) => series(line, format))],
    }, [times, ...lines.map((line) => line.values)] as uPlot.AlignedData, element);
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => { resize.disconnect(); plot.destroy(); };
  }, [times, lines, theme]);
  return <div class="chart" ref={place} role="img" aria-label={label} />;
}
