export { metricsServerCommand } from './metrics-server-command.js';
