/** What runs a node's containers, by RuntimeClass handler, the default first. */
export class RuntimeHandlers<T> {
  constructor(private readonly byHandler: ReadonlyMap<string, T>) {}

  get handlers(): string[] {
    return [...this.byHandler.keys()];
  }

  /** Undefined when the handler is gone since the container was made. The empty one is the default. */
  find(handler: string): T | undefined {
    return handler === '' ? [...this.byHandler.values()][0] : this.byHandler.get(handler);
  }

  require(handler: string): T {
    const runtime = this.find(handler);
    if (!runtime) throw new Error(`no runtime for ${JSON.stringify(handler)} is configured`);
    return runtime;
  }
}
