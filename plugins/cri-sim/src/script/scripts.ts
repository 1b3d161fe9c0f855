import { CriError } from '@coxswain/cri';
import { parse as parseYaml } from 'yaml';
import { type ContainerScript, defaultScript, type PartialScript } from './container-script.js';
import { globMatches } from './glob.js';
import { imageNames } from './image-names.js';
import type { Parse } from './parse.js';
import { type ContainerRule, containerScript, type ImageRule, stepScript } from './script-schema.js';

/** Annotations of pods that this runtime reads; YAML, so JSON too. */
export const SimAnnotation = {
  /** A script for all containers of the pod. */
  containers: 'sim.coxswain.dev/containers',
  /** Followed by a container's name: a script for this one; goes before the one for all, field by field. */
  containerPrefix: 'sim.coxswain.dev/container.',
  /** `{ after, error }` of making the pod's sandbox. */
  sandbox: 'sim.coxswain.dev/sandbox',
  /** `{ after, error }` of pulling images for the pod. */
  pull: 'sim.coxswain.dev/pull',
} as const;

export interface ContainerFacts {
  readonly image: string;
  readonly container: string;
  readonly pod: string;
  readonly namespace: string;
  readonly command: string;
}

type Annotations = Readonly<Record<string, string>>;

/** Which script a container has: the configuration's rules in order, then the pod's annotations; later ones win field by field. */
export class Scripts {
  constructor(
    private readonly rules: readonly ContainerRule[],
    private readonly images: readonly ImageRule[],
  ) {}

  /** Throws `invalidArgument` with what is wrong in an annotation. */
  container(facts: ContainerFacts, annotations: Annotations): ContainerScript {
    const found: PartialScript[] = this.rules.filter((rule) => applies(rule, facts)).map(({ script }) => script);
    const forAll = fromAnnotation(annotations, SimAnnotation.containers, containerScript);
    const own = fromAnnotation(annotations, SimAnnotation.containerPrefix + facts.container, containerScript);
    if (found.length === 0 && !forAll && !own) return defaultScript;
    return Object.assign({}, defaultScript, ...found, forAll, own) as ContainerScript;
  }

  sandbox(annotations: Annotations): { readonly after?: number; readonly error?: string } {
    return fromAnnotation(annotations, SimAnnotation.sandbox, stepScript) ?? {};
  }

  /** The rule of an image (the first that matches), and what the pod it is pulled for asks for. */
  pull(reference: string, annotations: Annotations): { readonly rule?: ImageRule; readonly afterMs: number; readonly error?: string } {
    const rule = this.image(reference);
    const asked = fromAnnotation(annotations, SimAnnotation.pull, stepScript);
    const error = asked?.error ?? rule?.error;
    return { ...(rule ? { rule } : {}), afterMs: asked?.after ?? rule?.pullMs ?? 0, ...(error === undefined ? {} : { error }) };
  }

  image(reference: string): ImageRule | undefined {
    if (this.images.length === 0) return undefined;
    const names = imageNames(reference);
    return this.images.find((rule) => names.some((name) => globMatches(rule.name, name)));
  }
}

function applies(rule: ContainerRule, facts: ContainerFacts): boolean {
  return (['image', 'container', 'pod', 'namespace', 'command'] as const).every((key) => {
    const glob = rule[key];
    return glob === undefined || globMatches(glob, facts[key]);
  });
}

function fromAnnotation<T>(annotations: Annotations, name: string, parse: Parse<T>): T | undefined {
  const text = annotations[name];
  if (text === undefined) return undefined;
  try {
    return parse(parseYaml(text), '');
  } catch (error) {
    throw new CriError('invalidArgument', `annotation ${name}: ${(error as Error).message}`, { cause: error });
  }
}
