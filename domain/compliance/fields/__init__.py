"""Which fields that a regulation asks of order records are there, and which are missing for which record. It says no
more:
neither that a firm falls under the regulation, nor that its records suffice.
"""

from domain.compliance.fields.check import FieldCheck as FieldCheck
from domain.compliance.fields.check import check as check
from domain.compliance.fields.records import records_of_events as records_of_events
from domain.compliance.fields.records import records_of_run as records_of_run
from domain.compliance.fields.sets import FieldSet as FieldSet
from domain.compliance.fields.sets import RequiredField as RequiredField
from domain.compliance.fields.sets import field_set as field_set
from domain.compliance.fields.sets import field_sets as field_sets
