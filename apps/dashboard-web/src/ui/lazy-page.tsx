import { Component, type ComponentType, lazy, type ReactNode } from 'react';

const TRIES = 4;
const WAIT_MS = 400;

/** A part that is loaded when it is first shown. A network that changes in that moment is tried again. */
export function lazyPage<P>(load: () => Promise<{ readonly default: ComponentType<P> }>) {
  return lazy(async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await load();
      } catch (error) {
        if (attempt === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS * attempt));
      }
    }
  });
}

/** What fails to be shown takes only its own place with it. */
export class Boundary extends Component<{ readonly children: ReactNode }, { readonly error: Error | undefined }> {
  override state: { readonly error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="notice" role="alert">
        <p>This cannot be shown: {error.message}</p>
        <button type="button" onClick={() => location.reload()}>
          Load again
        </button>
      </div>
    );
  }
}
