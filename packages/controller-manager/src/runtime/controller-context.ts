import type { Controller, ManagedContext } from '@coxswain/controller';
import type { ControllerManagerConfig } from '../controller-manager-config.js';

export type { Controller, EventSink, KeyQueue, Outcome } from '@coxswain/controller';

/** What every controller is made from. */
export type ControllerContext = ManagedContext<ControllerManagerConfig>;

export type ControllerFactory = (context: ControllerContext) => Controller;
