#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { etcdCommand } from './command/etcd-command.js';

await componentMain(etcdCommand(), new URL('../package.json', import.meta.url));
