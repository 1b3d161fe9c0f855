export { etcdCommand } from './etcd-command.js';
