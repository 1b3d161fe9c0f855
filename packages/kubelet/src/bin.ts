#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { kubeletCommand } from './command/kubelet-command.js';

await componentMain(kubeletCommand(), 'kubernetes');
