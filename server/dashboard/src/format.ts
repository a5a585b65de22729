// Numbers and times for people.
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}
export const count = (n: number) => n.toLocaleString('en');
export const percent = (part: number, whole: number) => (whole ? `${(Math.floor((1000 * part) / whole) / 10).toFixed(part === whole ? 0 : 1)} %` : '–');
// Rounded before it is cut in two, or 60 s would be left over.
function two(n: number, base: number, large: string, small: string): string {
  const whole = Math.round(n), rest = whole % base;
  return `${Math.floor(whole / base)} ${large}${rest ? ` ${rest} ${small}` : ''}`;
}
export function duration(ms: number): string {
  const s = ms / 1000;
  if (s < 60) return `${s && s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return two(s, 60, 'min', 's');
  return s < 86400 ? two(s / 60, 60, 'h', 'min') : two(s / 3600, 24, 'd', 'h');
}
export function ago(at_s: number, never = 'never'): string {
  if (!at_s) return never;
  const s = Date.now() / 1000 - at_s;
  if (s < 0) return `in ${duration(-s * 1000)}`;
  if (s < 90) return 'just now';
  if (s < 5400) return `${Math.round(s / 60)} min ago`;
  if (s < 129600) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86400)} d ago`;
}
export const when = (at_s: number) => new Date(at_s * 1000).toISOString().slice(0, 16).replace('T', ' ');
export const julia = (runtime: string) => runtime.replace(/^julia-/, '').replace(/-[0-9a-f]{64}$/, '').replace(/-(x86_64|aarch64|i686).*/, '');
export const platform = (runtime: string) => /-((?:x86_64|aarch64|i686)[^ ]*)-[0-9a-f]{64}$/.exec(runtime)?.[1] ?? '';
export const short = (digest: string) => digest.slice(0, 10);
