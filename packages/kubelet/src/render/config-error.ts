/** A container that cannot be made from its spec: shown as CreateContainerConfigError, tried again. */
export class ContainerConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ContainerConfigError';
  }
}
