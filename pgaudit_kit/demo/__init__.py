"""The sample application, the incident played on it, and the whole path walked once. Between operations and reporting."""
