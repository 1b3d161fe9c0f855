import { ConnectionMode, Controls, ReactFlow } from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { type MouseEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useSession } from '../session/session-gate';
import { useDark } from '../shell/theme';
import { ErrorNotice, Loading } from '../ui/notice';
import './architecture.css';
import { CallLine } from './call-edge';
import { layoutOf } from './layout';
import { LiveContext } from './live';
import { FrameBox, PartBox } from './part-node';
import { PartPanel } from './part-panel';
import { partsOf } from './parts';
import { useLiveReadings } from './use-live';
import { useTopology } from './use-topology';

const nodeTypes = { part: PartBox, frame: FrameBox };
const edgeTypes = { call: CallLine };
const WHOLE = { padding: 0.04 };

/** The cluster as a textbook draws it, with its real calls on the edges. */
export default function ArchitecturePage() {
  const { components } = useSession();
  const topology = useTopology(components);
  const [showOwn, setShowOwn] = useState(false);
  const [chosen, setChosen] = useState<string>();
  const live = useLiveReadings(topology.nodes, components, showOwn);
  const dark = useDark();
  const shape = `${topology.nodes.join()} ${topology.hasCloud} ${[...topology.runtime].join()}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape stands for the topology
  const { nodes, edges } = useMemo(() => layoutOf(topology), [shape]);
  const part = partsOf(topology).find((p) => p.id === chosen);
  const showWhole = useRef(() => {});
  const canvas = useRef<HTMLDivElement>(null);
  const open = part !== undefined;
  // The panel takes a third of the room: all of the picture goes into what is left, and back.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when the panel comes or goes; whoever zooms in stays there
  useEffect(() => {
    if (!canvas.current) return;
    // Told of the size after the library, which began to watch it earlier.
    const sized = new ResizeObserver(() => {
      sized.disconnect();
      showWhole.current();
    });
    sized.observe(canvas.current);
    return () => sized.disconnect();
  }, [open]);
  const choose = (event: MouseEvent) => {
    const button = (event.target as HTMLElement).closest<HTMLElement>('[data-part]');
    if (button) setChosen(button.dataset['part']);
  };
  if (topology.error && topology.nodes.length === 0) return <ErrorNotice error={topology.error} />;
  if (topology.loading) return <Loading />;
  return (
    <LiveContext.Provider value={live}>
      <section className="architecture">
        <header className="page-head">
          <h1>Architecture</h1>
          <span className="legend">
            <i className="key call-key" /> calls <i className="key event-key" /> watch events, of the last second
          </span>
          <span className="spacer" />
          {live.problem && <span className="muted problem-note">{live.problem}</span>}
          {topology.more > 0 && <span className="muted">{topology.more} more nodes are not drawn</span>}
          <label className="check">
            <input type="checkbox" checked={showOwn} onChange={(e) => setShowOwn(e.target.checked)} /> This page’s own calls
          </label>
        </header>
        <div className="diagram">
          {/* biome-ignore lint/a11y/noStaticElementInteractions: the buttons inside are what is pressed */}
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: a button's key press is a click */}
          <div ref={canvas} className="canvas" onClick={choose}>
            <ReactFlow
              nodes={nodes.map((n) => (n.type === 'part' ? { ...n, selected: n.id === chosen } : n))}
              edges={edges}
              nodeTypes={nodeTypes}
              edgeTypes={edgeTypes}
              connectionMode={ConnectionMode.Loose}
              colorMode={dark ? 'dark' : 'light'}
              nodesDraggable={false}
              nodesConnectable={false}
              edgesFocusable={false}
              elementsSelectable={false}
              fitView
              fitViewOptions={WHOLE}
              onInit={(instance) => {
                showWhole.current = () => void instance.fitView({ ...WHOLE, duration: 200 });
              }}
              minZoom={0.2}
              maxZoom={1.6}
            >
              <Controls showInteractive={false} />
            </ReactFlow>
          </div>
          {part && <PartPanel key={part.id} part={part} topology={topology} onClose={() => setChosen(undefined)} />}
        </div>
      </section>
    </LiveContext.Provider>
  );
}
