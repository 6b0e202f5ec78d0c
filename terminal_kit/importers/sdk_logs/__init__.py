"""Logs of apps that use the vendor's SDKs: Android, iOS, React Native, Capacitor; pasted, mixed and cut."""
