import { checks as apiOperations } from './conformance/api-operations.js';
import { checks as cli } from './conformance/cli.js';
import { checks as dns } from './conformance/dns.js';
import { checks as network } from './conformance/network.js';
import { checks as networkPolicy } from './conformance/network-policy.js';
import { conformanceSuite } from './conformance/run-suite.js';

conformanceSuite('network', [...network, ...networkPolicy, ...dns, ...apiOperations, ...cli]);
