#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { cloudControllerManagerCommand } from './command/cloud-controller-manager-command.js';

await componentMain(cloudControllerManagerCommand(), 'kubernetes');
