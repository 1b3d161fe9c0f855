export { dockershimCommand } from './dockershim-command.js';
