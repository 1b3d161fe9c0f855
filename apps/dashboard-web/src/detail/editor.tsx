import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, defaultHighlightStyle, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { useDark } from '../shell/theme';

const darkHighlight = HighlightStyle.define(
  defaultHighlightStyle.specs.map((spec) => ({ ...spec, ...(spec['color'] ? { color: lighten(String(spec['color'])) } : {}) })),
);

/** The default colours are made for white paper. */
function lighten(colour: string): string {
  return `color-mix(in oklab, ${colour} 45%, white)`;
}

const highlight = (dark: boolean) => syntaxHighlighting(dark ? darkHighlight : defaultHighlightStyle);

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '12.5px', backgroundColor: 'var(--surface)', color: 'var(--text)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--faint)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { backgroundColor: 'var(--select) !important' },
  '&.cm-focused': { outline: 'none' },
});

interface EditorProps {
  readonly label: string;
  /** Shown when it changes; what the user typed is then gone. */
  readonly text: string;
  readonly readOnly?: boolean;
  readonly onChange: (text: string) => void;
}

/** A YAML editor. Escape, then Tab leaves it. */
export function Editor({ label, text, readOnly = false, onChange }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const colours = useRef(new Compartment());
  const changed = useRef(onChange);
  changed.current = onChange;
  const dark = useDark();
  // biome-ignore lint/correctness/useExhaustiveDependencies: made once; the rest is dispatched to it
  useEffect(() => {
    const made = new EditorView({
      parent: host.current as HTMLElement,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          indentUnit.of('  '),
          bracketMatching(),
          highlightActiveLine(),
          yaml(),
          colours.current.of(highlight(dark)),
          look,
          keymap.of([indentWithTab, ...defaultKeymap, ...historyKeymap]),
          EditorView.contentAttributes.of({ 'aria-label': label }),
          EditorState.readOnly.of(readOnly),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, []);
  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== text) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);
  useEffect(() => view.current?.dispatch({ effects: colours.current.reconfigure(highlight(dark)) }), [dark]);
  return <div ref={host} className="editor" />;
}
