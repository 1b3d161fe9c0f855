export { crioCommand } from './cri-o-command.js';
