#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { dockershimCommand } from './command/dockershim-command.js';

await componentMain(dockershimCommand(), new URL('../package.json', import.meta.url));
