export { type OnDemandOptions, serveEtcdOnDemand } from './serve-on-demand.js';
