export { cloudControllerManagerCommand } from './cloud-controller-manager-command.js';
