import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from '@xyflow/react';
import { useEffect, useState } from 'react';
import { dotsFor } from './flows';
import type { CallEdge } from './layout';
import { useLive } from './live';

interface Dot {
  readonly key: string;
  readonly delay: number;
  readonly back: boolean;
  readonly large: boolean;
}

const TRAVEL_MS = 1100;

/** An edge along which each call travels as a dot, and each watch event travels back. */
export function CallLine({ id, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition }: EdgeProps<CallEdge>) {
  const [path, labelX, labelY] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  const { beat, flows } = useLive();
  const flow = flows.get(id);
  const [dots, setDots] = useState<readonly Dot[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once a reading
  useEffect(() => {
    if (!flow || flow.calls + flow.events === 0) return;
    const made = [...dotsOf(beat, flow.calls, false), ...dotsOf(beat, flow.events, true)];
    setDots((old) => [...old.filter((d) => Number(d.key.split(' ')[0]) > beat - 3), ...made]);
  }, [beat]);
  const busy = flow !== undefined && flow.calls + flow.events > 0;
  return (
    <>
      <BaseEdge id={id} path={path} className={busy ? 'call busy' : 'call'} />
      {dots.map(({ key, delay, back, large }) => (
        <circle
          key={key}
          r={large ? 4.4 : 3}
          className={back ? 'dot back' : 'dot'}
          style={{ offsetPath: `path("${path}")`, animationDelay: `${delay}ms`, animationDuration: `${TRAVEL_MS}ms` }}
        />
      ))}
      {busy && (
        <EdgeLabelRenderer>
          <span className="rate" style={{ transform: `translate(-50%, -50%) translate(${labelX}px, ${labelY}px)` }}>
            {flow.calls > 0 && <b>{flow.calls}</b>}
            {flow.events > 0 && <i>{flow.events}</i>}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

/** Spread over the second the calls were counted in. */
function dotsOf(beat: number, calls: number, back: boolean): Dot[] {
  const { dots, each } = dotsFor(calls);
  return Array.from({ length: dots }, (_, i) => ({ key: `${beat} ${back ? 'b' : 'f'} ${i}`, delay: (i * 1000) / dots, back, large: each > 1 }));
}
