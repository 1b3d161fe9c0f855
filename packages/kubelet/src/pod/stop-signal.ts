import { Signal } from '@coxswain/cri';

const CRI_NAMES = Signal as unknown as Readonly<Record<string, Signal | undefined>>;

/** A stop signal of the API (`SIGRTMIN+3`) in CRI's words; none: what the image or the runtime takes. */
export const criStopSignal = (name: string | undefined): Signal =>
  (name && CRI_NAMES[name.replace('+', 'PLUS').replace(/(?<=RTMAX)-/, 'MINUS')]) || Signal.RUNTIME_DEFAULT;

/** The other way round; undefined: the runtime does not say. */
export const apiStopSignal = (signal: Signal): string | undefined =>
  signal === Signal.RUNTIME_DEFAULT ? undefined : Signal[signal]?.replace('PLUS', '+').replace('MINUS', '-');
