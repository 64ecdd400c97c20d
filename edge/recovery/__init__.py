"""Damaged databases: noticed, set aside, saved, and read together with the new one."""
