import type { Component } from './component.js';
import { token } from './token.js';

/** An add-on: something that runs beside the cluster and talks to it through the API only (DNS, dashboard, metrics, logging). */
export interface Addon extends Component {
  /** What it offers, for `cox status`: name → URL or address. Known once started. */
  readonly endpoints: Readonly<Record<string, string>>;
}

export const Addon = token<Addon>('coxswain.addon.v1');

/** Where an add-on runs and how it reaches the API server; bound by whoever composes the cluster. */
export interface AddonContext {
  readonly clusterDomain: string;
  /** The address of the host the add-on runs on, as pods see it. */
  readonly hostIP: string;
  readonly nodeName: string;
  readonly clusterDnsIP: string;
  /** Path of a folder of the add-on's own that survives restarts. */
  readonly stateDir: string;
}

export const AddonContext = token<AddonContext>('coxswain.addon-context.v1');
