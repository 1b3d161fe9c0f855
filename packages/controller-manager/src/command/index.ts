export { controllerManagerCommand } from './controller-manager-command.js';
