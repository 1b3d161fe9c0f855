import { expect, test } from 'vitest';
import { dotsFor, flowsBetween } from './flows';
import { readingOf } from './reading';

const apiserver = (kubectl: number, scheduler: number, events: number) => `
# HELP coxswain_apiserver_client_requests_total Requests by calling program.
# TYPE coxswain_apiserver_client_requests_total counter
coxswain_apiserver_client_requests_total{client="kubectl",node=""} ${kubectl}
coxswain_apiserver_client_requests_total{client="coxswain-dashboard",node=""} 900
coxswain_apiserver_client_requests_total{client="kube-scheduler",node=""} ${scheduler}
coxswain_apiserver_client_requests_total{client="kubelet",node="n1"} 7
coxswain_apiserver_client_watch_events_total{client="kube-scheduler",node=""} ${events}
etcd_requests_total{operation="update",group="",resource="pods"} 3
etcd_requests_total{operation="get",group="",resource="pods"} 4
`;
const kubelet = `
kubelet_runtime_operations_total{operation_type="run_podsandbox"} 2
kubelet_runtime_operations_total{operation_type="start_container"} 3
kubelet_running_pods 2
`;
const reading = (text: string, own = false) => readingOf(0, { apiserver: text, kubelets: new Map([['n1', kubelet]]), components: new Map() }, own);

test('counters become calls on edges, by who made them', () => {
  const { calls, events, clients } = reading(apiserver(5, 20, 9));
  expect(calls.get('clients>apiserver')).toBe(5);
  expect(calls.get('scheduler>apiserver')).toBe(20);
  expect(calls.get('kubelet@n1>apiserver')).toBe(7);
  expect(calls.get('apiserver>store')).toBe(7);
  expect(calls.get('kubelet@n1>cri@n1')).toBe(5);
  expect(calls.get('cri@n1>cni@n1')).toBe(2);
  expect(events.get('scheduler>apiserver')).toBe(9);
  expect([...clients]).toEqual([['kubectl', 5]]);
  expect(reading(apiserver(5, 20, 9), true).calls.get('clients>apiserver')).toBe(905);
});

test('only what grew flows; a component that started anew counts from zero', () => {
  const flows = flowsBetween(reading(apiserver(5, 20, 9)), reading(apiserver(8, 2, 9)));
  expect(flows.get('clients>apiserver')).toEqual({ calls: 3, events: 0 });
  expect(flows.get('scheduler>apiserver')).toEqual({ calls: 2, events: 0 });
  expect(flows.get('kubelet@n1>apiserver')).toEqual({ calls: 0, events: 0 });
});

test('every call is a dot until there are too many to tell apart', () => {
  expect(dotsFor(3)).toEqual({ dots: 3, each: 1 });
  expect(dotsFor(240)).toEqual({ dots: 12, each: 20 });
});
