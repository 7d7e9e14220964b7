import type { ReactNode } from "react";

/** 24 × 24, drawn with one stroke. Decoration: the button around it has the name. */
function icon(content: ReactNode) {
  return function Icon({ size = 18 }: { size?: number }) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.75"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        className="shrink-0"
      >
        {content}
      </svg>
    );
  };
}

export const SendIcon = icon(<path d="M12 19V5m-6 6 6-6 6 6" />);
export const StopIcon = icon(<rect x="7" y="7" width="10" height="10" rx="1.5" fill="currentColor" />);
export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />);
export const SearchIcon = icon(<path d="m20 20-4.2-4.2M17.5 11a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Z" />);
export const CloseIcon = icon(<path d="m6 6 12 12M18 6 6 18" />);
export const CopyIcon = icon(<path d="M9 9h10v10H9zM5 15V5h10" />);
export const CheckIcon = icon(<path d="m5 12.5 4.5 4.5L19 7.5" />);
export const EditIcon = icon(<path d="M4 20h4L19 9l-4-4L4 16v4Zm9-13 4 4" />);
export const AgainIcon = icon(<path d="M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.5 4v4h4" />);
export const LeftIcon = icon(<path d="m14.5 6-6 6 6 6" />);
export const RightIcon = icon(<path d="m9.5 6 6 6-6 6" />);
export const DownIcon = icon(<path d="M12 5v14m-6-6 6 6 6-6" />);
export const MoreIcon = icon(
  <g fill="currentColor" stroke="none">
    <circle cx="6" cy="12" r="1.6" />
    <circle cx="12" cy="12" r="1.6" />
    <circle cx="18" cy="12" r="1.6" />
  </g>,
);
export const SidebarIcon = icon(<path d="M4 5h16v14H4zM9.5 5v14" />);
export const AlertIcon = icon(<path d="M12 8v5m0 3.2v.1M12 3.5 2.8 19.5h18.4L12 3.5Z" />);
export const ClockIcon = icon(<path d="M12 7.5V12l3 2m5.5-2a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0Z" />);
