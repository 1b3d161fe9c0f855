#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { criContainerdCommand } from './command/cri-containerd-command.js';

await componentMain(criContainerdCommand(), new URL('../package.json', import.meta.url));
