"""From labelled pictures, tables of scores or recorded verdicts to a calibration of the station."""
