#!/usr/bin/env node
// The executable: install it as /opt/cni/bin/point-to-point. It has host-local built in.
import { processIo, runCniPlugin } from '@coxswain/cni';
import { hostLocal } from '@coxswain/cni-bridge';
import { inlineThread, useThread } from '@coxswain/linux';
import { pointToPoint } from './point-to-point.js';

// A program that lives for one call saves the start of a thread.
useThread(inlineThread());
process.exitCode = await runCniPlugin(pointToPoint(), processIo(), [hostLocal()]);
