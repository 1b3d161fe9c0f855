import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useDark } from '../shell/theme';

interface ChartProps {
  readonly label: string;
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly format: (value: number) => string;
  /** Of the scale's marks; absent: decimal ones. */
  readonly steps?: number[];
}

const HEIGHT = 130;
/** At least so much time is drawn, so that the first readings do not stretch over the whole width. */
const LEAST_SECONDS = 120;

/** For bytes. */
export const BINARY_STEPS = Array.from({ length: 50 }, (_, i) => 2 ** i);
const clock = (seconds: number) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });

/** For one reading uPlot itself would draw the day that follows it. */
function beforeOneReading(time = Date.now() / 1000): [number, number] {
  return [time - LEAST_SECONDS, time];
}

/** One line over time, from zero. */
export function Chart({ label, times, values, format, steps }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const dark = useDark();
  const data = useRef<uPlot.AlignedData>([[], []]);
  data.current = [times as number[], values as number[]];
  // biome-ignore lint/correctness/useExhaustiveDependencies: a canvas does not follow CSS: drawn anew in other colours
  useEffect(() => {
    const box = host.current;
    if (!box) return;
    const css = getComputedStyle(document.documentElement);
    const colour = (name: string) => css.getPropertyValue(name).trim();
    const grid = { stroke: colour('--line'), width: 1 };
    const made = new uPlot(
      {
        width: box.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, points: { size: 6 } },
        scales: {
          x: { range: (plot, first, last) => (plot.data[0].length > 1 ? [Math.min(first, last - LEAST_SECONDS), last] : beforeOneReading(plot.data[0][0])) },
          y: { range: (_, __, max) => [0, max > 0 ? max * 1.25 : 1] },
        },
        // One reading is no line yet: it is a point.
        series: [{}, { stroke: colour('--accent'), width: 1.75, fill: colour('--accent-soft'), points: { show: (plot) => plot.data[0].length < 3, size: 5 } }],
        axes: [
          {
            stroke: colour('--muted'),
            grid: { show: false },
            ticks: { show: false },
            font: '11px system-ui',
            space: 70,
            size: 30,
            values: (_, ticks) => ticks.map(clock),
          },
          {
            stroke: colour('--muted'),
            grid,
            ticks: { show: false },
            font: '11px system-ui',
            size: 64,
            values: (_, ticks) => ticks.map(format),
            ...(steps ? { incrs: steps } : {}),
          },
        ],
      },
      data.current,
      box,
    );
    plot.current = made;
    const sizes = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: HEIGHT }));
    sizes.observe(box);
    return () => {
      sizes.disconnect();
      made.destroy();
    };
  }, [dark]);
  useEffect(() => plot.current?.setData([times as number[], values as number[]]), [times, values]);
  return <div ref={host} className="chart" role="img" aria-label={label} />;
}
