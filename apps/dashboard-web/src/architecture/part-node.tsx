import { Handle, type NodeProps, Position } from '@xyflow/react';
import { useLive } from './live';
import type { FrameNode, PartNode } from './layout';
import { showFigure } from './show-figure';
import { PartIcon } from './part-icon';

const SIDES = [
  ['t', Position.Top],
  ['r', Position.Right],
  ['b', Position.Bottom],
  ['l', Position.Left],
] as const;

export function PartBox({ data: { part }, selected }: NodeProps<PartNode>) {
  const { figures } = useLive();
  const first = figures.get(part.id)?.[0];
  return (
    <>
      {SIDES.map(([id, position]) => (
        <Handle key={id} id={id} type="source" position={position} isConnectable={false} />
      ))}
      <button
        type="button"
        className={`part part-${part.kind} ${selected ? 'selected' : ''}`}
        data-part={part.id}
        aria-label={`${part.title}${part.node ? ` of ${part.node}` : ''}`}
      >
        <PartIcon kind={part.kind} />
        <span className="part-text">
          <strong>{part.title}</strong>
          <small>{part.kind === 'pods' || !part.subtitle ? (first ? showFigure(first) : '') : part.subtitle}</small>
        </span>
      </button>
    </>
  );
}

export function FrameBox({ data: { title } }: NodeProps<FrameNode>) {
  return (
    <div className="frame">
      <span>{title}</span>
    </div>
  );
}
