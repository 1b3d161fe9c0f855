import type { PartKind } from './parts';

/** One line drawing a part, on a 20 × 20 grid. */
const PATHS: Record<PartKind, string> = {
  clients: 'M3 4h14v9H3zM7 17h6M10 13v4M6 8l2 1.5L6 11M10 11h3',
  apiserver: 'M10 2l7 4v8l-7 4-7-4V6zM10 2v16M3 6l7 4 7-4',
  store: 'M4 5c0-3 12-3 12 0s-12 3-12 0v10c0 3 12 3 12 0V5M4 10c0 3 12 3 12 0',
  scheduler: 'M10 3a7 7 0 1 0 .01 0M10 6v4l3 2',
  'controller-manager': 'M16 8A6.5 6.5 0 0 0 4.5 6M4 3v3.5h3.5M4 12a6.5 6.5 0 0 0 11.5 2M16 17v-3.5h-3.5',
  'cloud-controller-manager': 'M6 15a3.5 3.5 0 0 1 0-7 4.5 4.5 0 0 1 8.6 1.2A3 3 0 0 1 14.500 15z',
  dns: 'M10 3a7 7 0 1 0 .01 0M3 10h14M10 3c-5 4-5 10 0 14M10 3c5 4 5 10 0 14',
  kubelet: 'M3 5h14v10H3zM6 8h5M6 11h8M14 8h.01',
  cri: 'M3 7h14v8H3zM3 7l2-3h10l2 3M7 10v2.500M10 10v2.500M13 10v2.500',
  pods: 'M10 2.500l3.500 2v4L10 10.500 6.500 8.500v-4zM6 10.500l3.500 2v4L6 18.500l-3.500-2v-4zM14 10.500l3.500 2v4L14 18.500l-3.500-2v-4z',
  'kube-proxy': 'M3 6h8l-2.500-2.500M11 6L8.500 8.500M17 14H9l2.500 2.500M9 14l2.500-2.500',
  rules: 'M4 4h12M4 8h12M4 12h8M4 16h5M14 14l1.500 1.500L18 12.500',
  cni: 'M10 3.500v4M10 7.500h-5v4M10 7.500h5v4M8.500 3.500h3M3.500 11.500h3v4h-3zM13.500 11.500h3v4h-3z',
};

export function PartIcon({ kind }: { readonly kind: PartKind }) {
  return (
    <svg
      className="part-icon"
      viewBox="0 0 20 20"
      width="22"
      height="22"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinejoin="round"
      strokeLinecap="round"
    >
      <path d={PATHS[kind]} />
    </svg>
  );
}
