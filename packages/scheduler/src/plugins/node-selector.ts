import type { Node, NodeSelector, NodeSelectorTerm } from '@coxswain/api';

export type NodeMatcher = (node: Node) => boolean;

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** A node selector compiled: one of its terms must match. A term without conditions matches nothing. */
export function compileNodeSelector(selector: NodeSelector): NodeMatcher {
  const terms = (selector.nodeSelectorTerms ?? []).map(compileNodeSelectorTerm);
  return (node) => terms.some((t) => t(node));
}

export function compileNodeSelectorTerm(term: NodeSelectorTerm): NodeMatcher {
  const labels = (term.matchExpressions ?? []).map((e) => compile(e, (n) => n.metadata.labels?.[e.key]));
  const fields = (term.matchFields ?? []).map((e) => compile(e, (n) => (e.key === 'metadata.name' ? n.metadata.name : undefined)));
  const tests = [...labels, ...fields];
  if (tests.length === 0) return () => false;
  return (node) => {
    for (const test of tests) if (!test(node)) return false;
    return true;
  };
}

function compile({ operator, values = [] }: Expression, read: (node: Node) => string | undefined): NodeMatcher {
  switch (operator) {
    case 'In': {
      const set = new Set(values);
      return (n) => {
        const v = read(n);
        return v !== undefined && set.has(v);
      };
    }
    case 'NotIn': {
      const set = new Set(values);
      return (n) => {
        const v = read(n);
        return v === undefined || !set.has(v);
      };
    }
    case 'Exists':
      return (n) => read(n) !== undefined;
    case 'DoesNotExist':
      return (n) => read(n) === undefined;
    case 'Gt':
    case 'Lt': {
      const bound = integer(values[0]);
      return (n) => {
        const v = integer(read(n));
        if (v === undefined || bound === undefined) return false;
        return operator === 'Gt' ? v > bound : v < bound;
      };
    }
    default:
      return () => false;
  }
}

const integer = (text: string | undefined): number | undefined => (text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined);
