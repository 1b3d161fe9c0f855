export { apiserverCommand } from './apiserver-command.js';
