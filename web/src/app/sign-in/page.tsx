import type { Metadata } from "next";
import { en } from "@/i18n/en";
import { SignIn } from "@/sign-in/sign-in";

export const metadata: Metadata = { title: `${en.signIn.title} – ${en.name}` };

export default function SignInPage() {
  return <SignIn />;
}
