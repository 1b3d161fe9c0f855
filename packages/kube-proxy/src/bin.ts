#!/usr/bin/env node
import { componentMain } from '@coxswain/command';
import { kubeProxyCommand } from './command/kube-proxy-command.js';

await componentMain(kubeProxyCommand(), 'kubernetes');
