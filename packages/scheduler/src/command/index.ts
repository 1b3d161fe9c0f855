export { schedulerCommand } from './scheduler-command.js';
