import { useLayoutEffect, useRef } from 'react';
import { useWindow } from '../list/use-window';

export interface LogLine {
  /** Unique in the view. */
  readonly id: number;
  readonly time?: string;
  readonly source?: string;
  readonly text: string;
  readonly warning?: boolean;
}

const LINE_HEIGHT = 19;

/** Any number of lines, of which only those in sight are in the document; stays at the end while the reader is there. */
export function LogView({ lines, label, match }: { readonly lines: readonly LogLine[]; readonly label: string; readonly match?: string | undefined }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const { first, last } = useWindow(box, lines.length, LINE_HEIGHT);
  // biome-ignore lint/correctness/useExhaustiveDependencies: to the end whenever there is more
  useLayoutEffect(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  const onScroll = () => {
    const { scrollTop = 0, clientHeight = 0, scrollHeight = 0 } = box.current ?? {};
    atEnd.current = scrollTop + clientHeight > scrollHeight - 2 * LINE_HEIGHT;
  };
  return (
    <div ref={box} className="log" role="log" aria-label={label} tabIndex={0} onScroll={onScroll}>
      <div style={{ height: first * LINE_HEIGHT }} />
      {lines.slice(first, last).map((line) => (
        <div key={line.id} className={line.warning ? 'warning' : undefined}>
          {line.time && <time>{line.time.slice(11, 23)}</time>}
          {line.source && <b>{line.source}</b>}
          <Marked text={line.text} match={match} />
        </div>
      ))}
      <div style={{ height: Math.max(0, lines.length - last) * LINE_HEIGHT }} />
    </div>
  );
}

function Marked({ text, match }: { readonly text: string; readonly match: string | undefined }) {
  const at = match ? text.toLowerCase().indexOf(match.toLowerCase()) : -1;
  if (at < 0 || !match) return text || ' ';
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + match.length)}</mark>
      {text.slice(at + match.length)}
    </>
  );
}
