"""Throwaway servers of our own."""
