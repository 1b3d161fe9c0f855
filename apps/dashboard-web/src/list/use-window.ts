import { type RefObject, useLayoutEffect, useState } from 'react';

const OVERSCAN = 12;

/** Which of `count` rows of one height are in sight of the scroller, with some to spare. */
export function useWindow(scroller: RefObject<HTMLElement | null>, count: number, rowHeight: number): { first: number; last: number } {
  const [view, setView] = useState({ top: 0, height: 800 });
  // biome-ignore lint/correctness/useExhaustiveDependencies: an empty list has no scroller; look again when it fills
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const look = () => setView((v) => (v.top === box.scrollTop && v.height === box.clientHeight ? v : { top: box.scrollTop, height: box.clientHeight }));
    look();
    box.addEventListener('scroll', look, { passive: true });
    const sizes = new ResizeObserver(look);
    sizes.observe(box);
    return () => {
      box.removeEventListener('scroll', look);
      sizes.disconnect();
    };
  }, [scroller, count === 0]);
  const first = Math.max(0, Math.min(count, Math.floor(view.top / rowHeight)) - OVERSCAN);
  return { first, last: Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + OVERSCAN) };
}
