export { dnsCommand } from './dns-command.js';
