import { type Component, defineComponent } from './component.js';
import { token } from './token.js';

/**
 * A CRI server as a plugin: serves RuntimeService and ImageService on `endpoint` (`unix:///…`) from `start` to `stop`.
 * Stopping it does not stop containers: the next server of the same folders adopts them.
 */
export interface CriServer extends Component {
  readonly endpoint: string;
}

export const CriServer = token<CriServer>('coxswain.cri.v1');

/** A CRI server of the function that starts it, which returns its undo. */
export const defineCriServer = (name: string, endpoint: string, start: () => Promise<() => Promise<void>>): CriServer => ({
  ...defineComponent(name, start),
  endpoint,
});
