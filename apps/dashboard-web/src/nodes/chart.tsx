import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useDark } from '../shell/theme';

interface ChartProps {
  readonly label: string;
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly format: (value: number) => string;
}

const HEIGHT = 130;

/** One line over time, from zero. */
export function Chart({ label, times, values, format }: ChartProps) {
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
        scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.25 : 1] } },
        series: [{}, { stroke: colour('--accent'), width: 1.75, fill: colour('--accent-soft'), points: { show: false } }],
        axes: [
          { stroke: colour('--muted'), grid: { show: false }, ticks: { show: false }, font: '11px system-ui', space: 70 },
          { stroke: colour('--muted'), grid, ticks: { show: false }, font: '11px system-ui', size: 64, values: (_, ticks) => ticks.map(format) },
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
