// History as lines over time, by uPlot. Colours are the page's, so a change of theme draws anew.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line { label: string; values: (number | null)[]; colour: string; fill?: boolean; scale?: string }

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

export function Chart({ times, lines, format, label, max }: { times: number[]; lines: Line[]; format: (n: number) => string; label: string; max?: number }) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  useEffect(() => {
    const element = place.current!;
    const axis = { stroke: colour('--quiet'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: '11px Inter, system-ui, sans-serif' };
    const plot = new uPlot({
      width: element.clientWidth, height: 190, legend: { live: true }, cursor: { points: { size: 6 } },
      scales: { y: { range: (_, _min, high) => [0, max ?? Math.max(high * 1.1, 1)] } },
      axes: [{ ...axis, space: 70, values: (_, ticks) => ticks.map((t) => stamp(t, times[times.length - 1] - times[0])) }, { ...axis, size: 64, values: (_, ticks) => ticks.map((n) => format(n)) }],
      series: [{ value: (_, t) => (t ? new Date(t * 1000).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' }) : '') },
        ...lines.map((line) => ({ label: line.label, stroke: colour(line.colour), width: 1.75, points: { show: false }, spanGaps: true,
          fill: line.fill ? `color-mix(in srgb, ${colour(line.colour)} 14%, transparent)` : undefined, value: (_: uPlot, n: number | null) => (n === null ? '–' : format(n)) }))],
    }, [times, ...lines.map((line) => line.values)] as uPlot.AlignedData, element);
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: 190 }));
    resize.observe(element);
    return () => { resize.disconnect(); plot.destroy(); };
  }, [times, lines, theme]);
  return <div class="chart" ref={place} role="img" aria-label={label} />;
}
