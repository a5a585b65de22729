// The packages of an environment as a layered graph (dagre). An edge that longer ways imply is left out, or nothing could be seen.
import dagre from '@dagrejs/dagre';
import { useMemo } from 'preact/hooks';
import type { EnvironmentNode } from './api';

// A graph that is too wide is made smaller, as long as names can be read; what is still beyond can be scrolled to.
const NODES_MAX = 400, NAME_MAX = 34, WIDTH = 158, HEIGHT = 34, SCALE_MIN = 0.72;

/** Positions of direct dependencies that no other dependency leads to. Dependencies precede, so one pass is enough. */
export function reduced(nodes: EnvironmentNode[]): number[][] {
  const below = nodes.map(() => new Set<number>());
  return nodes.map((node, i) => {
    const deps = node.deps.filter((d) => d < i);
    for (const d of deps) { below[i].add(d); below[d].forEach((n) => below[i].add(n)); }
    return deps.filter((d) => !deps.some((other) => other !== d && below[other].has(d)));
  });
}

function layout(nodes: EnvironmentNode[]) {
  const graph = new dagre.graphlib.Graph().setGraph({ rankdir: 'LR', nodesep: 10, ranksep: 56, marginx: 12, marginy: 12 }).setDefaultEdgeLabel(() => ({}));
  nodes.forEach((_, i) => graph.setNode(String(i), { width: WIDTH, height: HEIGHT }));
  reduced(nodes).forEach((deps, i) => deps.forEach((d) => graph.setEdge(String(i), String(d))));
  dagre.layout(graph);
  return graph;
}

interface Point { x: number; y: number }
/** From the right side of a box to the left side of what it requires, by the ways that dagre found, without corners. */
function path(from: Point, ways: Point[], to: Point): string {
  const points = [{ x: from.x + WIDTH / 2, y: from.y }, ...ways, { x: to.x - WIDTH / 2, y: to.y }];
  return points.map(({ x, y }, i) => {
    if (!i) return `M${x.toFixed(1)} ${y.toFixed(1)}`;
    const before = points[i - 1], middle = ((before.x + x) / 2).toFixed(1);
    return `C${middle} ${before.y.toFixed(1)} ${middle} ${y.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join('');
}
const cut = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

export function Graph({ nodes, chosen, choose }: { nodes: EnvironmentNode[]; chosen?: string; choose: (key: string) => string }) {
  const graph = useMemo(() => (nodes.length <= NODES_MAX ? layout(nodes) : undefined), [nodes.map((n) => n.key).join()]);
  if (!graph) return <p class="empty">With more than {NODES_MAX} packages a picture tells nothing; the table below does.</p>;
  const { width = 0, height = 0 } = graph.graph();
  return <div class="scroll graph" tabIndex={0} role="region" aria-label="Dependency graph">
    <svg style={{ width: `clamp(${SCALE_MIN * width}px, 100%, ${width}px)` }} viewBox={`0 0 ${width} ${height}`} aria-label="Packages, each with lines to what it requires">
      {graph.edges().map((edge) => <path class={`edge ${nodes[Number(edge.w)].state}`} d={path(graph.node(edge.v), graph.edge(edge).points.slice(1, -1), graph.node(edge.w))} />)}
      {nodes.map((node, i) => {
        const { x, y } = graph.node(String(i));
        const name = node.name ?? node.key.slice(0, 10);
        return <a href={choose(node.key)} class={`node ${node.state}${node.key === chosen ? ' chosen' : ''}`} aria-label={`${name} ${node.version ?? ''}, ${node.state}`}>
          <title>{`${name} ${node.version ?? ''}: ${node.text ?? 'stored'}`}</title>
          <rect x={x - WIDTH / 2} y={y - HEIGHT / 2} width={WIDTH} height={HEIGHT} rx="7" />
          <circle cx={x - WIDTH / 2 + 13} cy={y} r="4.5" />
          <text x={x - WIDTH / 2 + 25} y={y + 4} textLength={name.length > 18 ? WIDTH - 36 : undefined} lengthAdjust="spacingAndGlyphs">{cut(name, NAME_MAX)}</text>
        </a>;
      })}
    </svg></div>;
}
