import { checks as apiOperations } from './conformance/api-operations.js';
import { checks as cli } from './conformance/cli.js';
import { checks as dns } from './conformance/dns.js';
import { checks as network } from './conformance/network.js';
import { conformanceSuite } from './conformance/run-suite.js';

conformanceSuite('network', [...network, ...dns, ...apiOperations, ...cli]);
