// The server's answers (schema/openapi.yaml), and the way to them. The token lives in sessionStorage: gone with the tab.
export interface Sums { artefacts: number; bytes: number; compile_ms: number }
export interface Lane extends Sums { name: string; parent?: string; created_s: number }
export interface Stats extends Sums {
  server: string; now_s: number; caller: { name?: string; can_write: boolean; can_admin: boolean };
  store?: { artefacts: number; blobs: number; stored_bytes: number; arriving_bytes: number; store_bytes_max: number; free_bytes: number; free_bytes_min: number };
  totals?: Record<string, number>; // of the whole server, like store: for who may see all lanes
  lanes: Lane[]; julia: (Sums & { version: string })[];
}
export interface Step { at_s: number; hits: number; misses: number; saved_ms: number; published: number; pulls: number; sent_bytes: number; received_bytes: number; requests: number; stored_bytes: number }
export interface History { step_s: number; now_s: number; steps: Step[] }
export interface Package extends Sums { name: string; uuid: string; lanes: number; latest_s: number }
export interface Provenance { host?: string; user?: string; run?: string; client?: string; created_s: number }
export interface Artefact {
  id: number; lane: string; runtime: string; sysimage: string; key: string; name: string; version?: string; uuid: string; bytes: number;
  has_image: boolean; compile_ms: number; writer?: string; published_s: number; last_used_s: number; provenance: Provenance;
}
export interface Other { key: string; name?: string; version?: string }
export interface About extends Omit<Artefact, 'id' | 'bytes' | 'has_image'> {
  build_id: string; ji: { digest: string; size: number }; image?: { digest: string; size: number }; kind: string; source: string;
  build?: string; offered: boolean; deps: Other[]; required_by: Other[]; required_by_count: number;
}
export interface Environment {
  id: string; lane: string; title: string; runtime: string; sysimage: string; who?: string; first_s: number; last_s: number;
  times: number; wanted: number; stored: number; nodes?: EnvironmentNode[];
}
export interface EnvironmentNode {
  key: string; name?: string; version?: string; state: 'stored' | 'superseded' | 'missing'; optional: boolean; lane?: string;
  reason?: string; text?: string; near_version?: string; near_runtime?: string; bytes: number; compile_ms: number; deps: number[];
}
export interface Miss {
  lane: string; key: string; runtime: string; sysimage: string; environment: string; name?: string; version?: string; reason: string;
  text: string; near_version?: string; near_runtime?: string; who?: string; first_s: number; last_s: number; times: number; stored: boolean;
}
export interface Token { name: string; can: string; lanes: string; created_s: number; expires_s: number; last_used_s: number }

const TOKEN = 'jicache-token';
export const token = { get: () => sessionStorage.getItem(TOKEN) ?? '', set: (value: string) => sessionStorage.setItem(TOKEN, value.trim()), clear: () => sessionStorage.removeItem(TOKEN) };

export class Refused extends Error { constructor(readonly status: number, message: string) { super(message); } }

async function request(method: string, path: string): Promise<Response> {
  const headers: Record<string, string> = token.get() ? { Authorization: `Bearer ${token.get()}` } : {};
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, credentials: 'omit', cache: 'no-store' });
  } catch {
    throw new Refused(0, 'The server does not answer.');
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, `${problem.detail ?? answer.statusText}${problem.request_id ? ` (request ${problem.request_id})` : ''}`);
}

// A slash may stand in a query as it is (RFC 3986 §3.4), and the server takes no other.
const encode = (value: string | number) => encodeURIComponent(value).replace(/%2F/g, '/');

export async function get<T>(path: string, query: Record<string, string | number | undefined> = {}): Promise<T> {
  const words = Object.entries(query).filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => `${name}=${encode(value!)}`);
  return (await request('GET', words.length ? `${path}?${words.join('&')}` : path)).json();
}
export const revoke = (name: string) => request('DELETE', `/v1/tokens/${encodeURIComponent(name)}`);
