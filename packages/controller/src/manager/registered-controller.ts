import type { Controller, ManagedContext } from './controller.js';

/** A controller as its manager knows it: its upstream name, and when it starts relative to others. */
export interface RegisteredController<Config> {
  /** As in `--controllers`. */
  readonly name: string;
  /** Names of older releases, which `--controllers` takes, too. */
  readonly aliases?: readonly string[];
  /** Groups start one after the other: `first` is what others need before they can do anything at all. */
  readonly group: 'first' | 'main' | 'last';
  /** Its service account in kube-system, bound to the role `system:controller:<account>`; without one it acts as the manager itself. */
  readonly account?: string;
  /** Runs only when `--controllers` names it. */
  readonly offByDefault?: boolean;
  readonly make: (context: ManagedContext<Config>) => Controller;
}

/** Which of them `--controllers` selects. Throws for a name nobody has. */
export function selectRegistered<Config>(selection: readonly string[], all: readonly RegisteredController<Config>[]): RegisteredController<Config>[] {
  // Upstream's names end in -controller; without it they are understood, too.
  const named = (c: RegisteredController<Config>, name: string) => c.name === name || c.name === `${name}-controller` || c.aliases?.includes(name) === true;
  for (const entry of selection) {
    const name = entry.replace(/^-/, '');
    if (name !== '*' && !all.some((c) => named(c, name)))
      throw new Error(`--controllers: "${name}" is not in the list of known controllers: ${all.map((c) => c.name).join(', ')}`);
  }
  return all.filter((c) => {
    if (selection.some((s) => s.startsWith('-') && named(c, s.slice(1)))) return false;
    if (selection.some((s) => named(c, s))) return true;
    return selection.includes('*') && !c.offByDefault;
  });
}
